{
  data: {authentication: {token: .connections.service.data.authentication.token}},
  specs: {service: {url: .outputs.endpoint}}
}
