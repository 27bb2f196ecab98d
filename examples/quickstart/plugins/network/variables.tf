variable "region" {
  type = string
}

variable "cidr" {
  type = string
}

variable "subnets" {
  type = number
}

# Where this runs, and the start of every name: supplied by Tieline.
variable "tieline" {
  type = object({
    name_prefix = string
    tags        = map(string)
  })
}
