variable "cidr" { type = string }
variable "region" { type = string }
variable "subnets" { type = number }
variable "md_metadata" {
  type = object({
    name_prefix  = string
    default_tags = map(string)
  })
}
