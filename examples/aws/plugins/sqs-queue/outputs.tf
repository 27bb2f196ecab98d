output "url" {
  value = aws_sqs_queue.this.url
}

output "arn" {
  value = aws_sqs_queue.this.arn
}

output "name" {
  value = aws_sqs_queue.this.name
}

output "dead_letter_arn" {
  value = aws_sqs_queue.dead_letter.arn
}
