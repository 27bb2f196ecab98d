variable "cidr" {
  type = string
}

variable "zones" {
  type = number
}

variable "endpoints" {
  type = list(string)
}

variable "tieline" {
  type = object({
    name_prefix = string
  })
}
