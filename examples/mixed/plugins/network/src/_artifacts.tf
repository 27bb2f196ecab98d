resource "massdriver_artifact" "network" {
  field = "network"
  name  = "Network ${var.md_metadata.name_prefix}"
  artifact = jsonencode({
    data = {
      infrastructure = {
        id = "net-${terraform_data.network.id}"
      }
    }
    specs = {
      network = {
        cidr   = var.cidr
        region = var.region
      }
    }
  })
}
