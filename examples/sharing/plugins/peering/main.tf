# terraform_data stands in for the cloud's resources, so that this runs anywhere.

resource "terraform_data" "peering" {
  input = {
    requester = var.requester.id
    accepter  = var.accepter.id
    routes    = [var.requester.cidr, var.accepter.cidr]
  }

  lifecycle {
    precondition {
      condition     = var.requester.cidr != var.accepter.cidr
      error_message = "Networks with the same addresses cannot be peered."
    }
  }
}

variable "requester" {
  type = object({ id = string, cidr = string })
}

variable "accepter" {
  type = object({ id = string, cidr = string })
}
