# What holds data goes with a person's word only: a destroy of it has to come from the platform team.
package tieline.plan

import rego.v1

holds_data := {"aws_db_instance", "aws_rds_cluster", "aws_dynamodb_table", "aws_s3_bucket"}

platform_team := {"ana", "rui"}

deny contains msg if {
	not input.deployment.preview
	not input.run.actor in platform_team
	some resource in input.plan.resource_changes
	resource.type in holds_data
	"delete" in resource.change.actions
	msg := sprintf("%s holds data: ask the platform team to run this", [resource.address])
}
