variable "hostname" { type = string }

resource "terraform_data" "record" {
  input = var.hostname
}
