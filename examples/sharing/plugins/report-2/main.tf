# terraform_data stands in for the cloud's resources, so that this runs anywhere.

resource "terraform_data" "job" {
  input            = var.database.writer
  triggers_replace = sha256(var.database.password)
}

variable "database" {
  type = object({
    writer   = string
    password = string
  })
}
