variable "name" {
  type = string
}

variable "size" {
  type = string
}

# The slot `network`: an object of the connection's attributes.
variable "network" {
  type = object({
    cidr       = string
    subnet_ids = list(string)
    region     = string
  })
}

# Where this runs, and the start of every name: supplied by Tieline.
variable "tieline" {
  type = object({
    name_prefix = string
    tags        = map(string)
  })
}
