variable "image" {
  type = string
}

variable "replicas" {
  type = number
}

variable "domain" {
  type = string
}

# The slot `network`: an object of the connection's attributes.
variable "network" {
  type = object({
    subnet_ids = list(string)
  })
}

# The slot `database`. The password arrives marked as sensitive: Terraform reads it from the state of the database's plugin.
variable "database" {
  type = object({
    host     = string
    port     = number
    database = string
    username = string
    password = string
  })
}

# Where this runs, and the start of every name: supplied by Tieline.
variable "tieline" {
  type = object({
    name_prefix = string
    tags        = map(string)
  })
}
