# terraform_data stands in for the cloud's resources, so that this runs anywhere.

variable "cidr" { type = string }

resource "terraform_data" "vpc" { input = var.cidr }

output "id" { value = terraform_data.vpc.id }
output "cidr" { value = terraform_data.vpc.output }
