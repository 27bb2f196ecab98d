name = {{ service_name }}
environment = {{ environment }}
