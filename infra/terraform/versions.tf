# Weir with Terraform: what infra/template.yaml makes, resource for resource. A house test compares the two.
terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.80"
    }
  }
}

data "aws_partition" "here" {}
data "aws_region" "here" {}
data "aws_caller_identity" "here" {}

locals {
  partition = data.aws_partition.here.partition
  region    = data.aws_region.here.id
  account   = data.aws_caller_identity.here.account_id

  # Two installations have two names, so by default they have two prefixes.
  alarm_prefix = coalesce(var.alarm_prefix, "${var.name}-")

  # Other partitions have consoles of their own, at addresses that no document gives.
  console = lookup({
    aws        = "console.aws.amazon.com"
    aws-cn     = "console.amazonaws.cn"
    aws-us-gov = "console.amazonaws-us-gov.com"
  }, local.partition, null)
}
