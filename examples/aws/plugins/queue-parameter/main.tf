terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
}

resource "aws_ssm_parameter" "this" {
  name           = "/${var.tieline.name_prefix}/${var.name}"
  description    = "URL of the queue ${var.queue.name}"
  type           = "String"
  insecure_value = var.queue.url # no secret, so plans may show it
}
