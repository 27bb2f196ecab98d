variable "name" {
  type = string
}

variable "queue" {
  type = object({
    name = string
    url  = string
  })
}

variable "tieline" {
  type = object({
    name_prefix = string
  })
}
