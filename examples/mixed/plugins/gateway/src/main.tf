variable "hostname" { type = string }
variable "service" { type = any }

resource "terraform_data" "gateway" {
  input = {
    hostname = var.hostname
    upstream = var.service.specs.service.url
    token    = var.service.data.authentication.token
  }
}

output "endpoint" {
  value = "https://${var.hostname}"
}
