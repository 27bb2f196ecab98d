variable "salt" {
  type = string
}

variable "left" {
  type    = object({ value = string })
  default = null
}

variable "right" {
  type    = object({ value = string })
  default = null
}

resource "terraform_data" "received" {
  input = join("|", [var.salt, try(var.left.value, ""), try(var.right.value, "")])
}

resource "terraform_data" "worked_on" {
  input = sha256(terraform_data.received.output)
}

resource "terraform_data" "passed_on" {
  input = terraform_data.worked_on.output
}

output "value" {
  value = terraform_data.passed_on.output
}
