variable "name" {
  type = string
}

variable "visibility_timeout" {
  type = number
}

variable "max_receives" {
  type = number
}

variable "vpc_id" {
  type = string
}

variable "tieline" {
  type = object({
    name_prefix = string
  })
}
