# What no plan may make, whatever the plugin is.
package tieline.plan

import rego.v1

# What will be there once the plan is applied.
planned contains change if {
	some change in input.plan.resource_changes
	change.mode == "managed"
	some action in change.change.actions
	action in {"create", "update"}
}

deny contains msg if {
	some resource in planned
	resource.type == "aws_s3_bucket_public_access_block"
	some setting in ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"]
	not resource.change.after[setting]
	msg := sprintf("%s: `%s` has to be on, buckets are not public here", [resource.address, setting])
}

deny contains msg if {
	some resource in planned
	resource.type == "aws_db_instance"
	not resource.change.after.storage_encrypted
	msg := sprintf("%s: `storage_encrypted` has to be on", [resource.address])
}

warn contains msg if {
	some resource in planned
	resource.type == "aws_db_instance"
	resource.change.after.backup_retention_period < 7
	msg := sprintf("%s: backups are kept for less than a week", [resource.address])
}
