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
}
