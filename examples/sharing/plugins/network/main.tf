# terraform_data stands in for the cloud's resources, so that this runs anywhere.

resource "terraform_data" "network" {
  input = { name = "${var.tieline.name_prefix}-net", cidr = var.cidr }
}

variable "cidr" {
  type = string
}

# Where this runs, and the start of every name: supplied by Tieline.
variable "tieline" {
  type = object({
    name_prefix = string
    tags        = map(string)
  })
}

output "id" {
  value = "net-${substr(sha1(terraform_data.network.id), 0, 12)}"
}

output "cidr" {
  value = var.cidr
}
