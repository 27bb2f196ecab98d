output "vpc_id" {
  value = local.vpc_id
}

output "cidr" {
  value = var.cidr
}

output "subnet_ids" {
  value = local.subnet_ids
}

output "region" {
  value = var.region
}
