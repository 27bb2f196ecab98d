# terraform_data stands in for the cloud's resources, so that this runs anywhere.

resource "terraform_data" "deployment" {
  input = {
    name    = "${var.tieline.name_prefix}-api"
    cluster = var.cluster.name
    image   = var.image
  }

  # A new token deploys anew.
  triggers_replace = sha256(var.cluster.token)
}

variable "image" {
  type = string
}

# The slot `cluster`: an object of the connection's attributes.
variable "cluster" {
  type = object({
    name     = string
    endpoint = string
    token    = string
  })
}

# Where this runs, and the start of every name: supplied by Tieline.
variable "tieline" {
  type = object({
    name_prefix = string
    tags        = map(string)
  })
}
