# What people subscribe to, and the two alarms on Weir itself.

# A key of its own: AWS's key for SNS lets no alarm publish to a topic it encrypts.
resource "aws_kms_key" "alerts" {
  description         = "Encrypts Weir's alerts"
  enable_key_rotation = true
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "ByThePoliciesOfTheAccount"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.partition}:iam::${local.account}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "ForTheAlarmOnMissingTicks"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = ["kms:GenerateDataKey*", "kms:Decrypt"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
      },
    ]
  })
}

resource "aws_sns_topic" "notices" {
  name              = "${var.name}-notices"
  display_name      = "Weir notices"
  kms_master_key_id = aws_kms_key.alerts.arn
}

resource "aws_sns_topic" "pages" {
  name              = "${var.name}-pages"
  display_name      = "Weir pages"
  kms_master_key_id = aws_kms_key.alerts.arn
}

resource "aws_sns_topic" "chat" {
  count = var.chat_topic ? 1 : 0

  name              = "${var.name}-chat"
  display_name      = "Weir chat"
  kms_master_key_id = aws_kms_key.alerts.arn
}

# Functions publish by their role; nobody else does, but for the one alarm that needs no Weir. A topic without a
# policy gets SNS's own, which lets the whole account publish.
resource "aws_sns_topic_policy" "notices" {
  arn = aws_sns_topic.notices.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "OnlyOverTls"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.notices.arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

resource "aws_sns_topic_policy" "chat" {
  count = var.chat_topic ? 1 : 0

  arn = aws_sns_topic.chat[0].arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "OnlyOverTls"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.chat[0].arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

resource "aws_sns_topic_policy" "pages" {
  arn = aws_sns_topic.pages.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "OnlyOverTls"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.pages.arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      {
        Sid       = "FromTheAlarmOnMissingTicks"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.pages.arn
        Condition = {
          StringEquals = { "aws:SourceAccount" = local.account }
          ArnEquals = {
            "aws:SourceArn" = "arn:${local.partition}:cloudwatch:${local.region}:${local.account}:alarm:${local.alarm_prefix}self-tick"
          }
        }
      },
    ]
  })
}

# The last resort: without ticks Weir cannot say that it has none. Five ticks fall into a period. A run that fails is
# tried twice more within three minutes, and each try is an error: of five failing ticks eleven to fifteen errors fall
# into a period, of three nine. So ten mean that a function does not work, whatever events got done in between.
# A period whose numbers are not all published reads as zero, so one alone says nothing. Nor do a new installation's
# first: the template's alarm has a warm-up for that, which the provider does not know.
resource "aws_cloudwatch_metric_alarm" "tick_missing" {
  alarm_name          = "${local.alarm_prefix}self-tick"
  alarm_description   = "Weir is not woken, or its ticks fail: streams keep the size they have, and failing consumers are not told of. Look at the functions' logs and at the two queues of the stack."
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  evaluation_periods  = 3
  datapoints_to_alarm = 3
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.pages.arn]
  ok_actions          = [aws_sns_topic.pages.arn]

  metric_query {
    id          = "working"
    label       = "Both functions tick"
    expression  = "IF(FILL(planned, 0) > 0 AND FILL(told, 0) > 0 AND FILL(unplanned, 0) < 10 AND FILL(untold, 0) < 10, 1, 0)"
    return_data = true
  }

  metric_query {
    id = "planned"
    metric {
      namespace   = "AWS/Lambda"
      metric_name = "Invocations"
      dimensions  = { FunctionName = aws_lambda_function.functions["plan-capacity"].function_name }
      period      = 300
      stat        = "Sum"
    }
  }

  metric_query {
    id = "told"
    metric {
      namespace   = "AWS/Lambda"
      metric_name = "Invocations"
      dimensions  = { FunctionName = aws_lambda_function.functions["raise-alerts"].function_name }
      period      = 300
      stat        = "Sum"
    }
  }

  metric_query {
    id = "unplanned"
    metric {
      namespace   = "AWS/Lambda"
      metric_name = "Errors"
      dimensions  = { FunctionName = aws_lambda_function.functions["plan-capacity"].function_name }
      period      = 300
      stat        = "Sum"
    }
  }

  metric_query {
    id = "untold"
    metric {
      namespace   = "AWS/Lambda"
      metric_name = "Errors"
      dimensions  = { FunctionName = aws_lambda_function.functions["raise-alerts"].function_name }
      period      = 300
      stat        = "Sum"
    }
  }
}

# Told by raise-alerts, like any other incident.
resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  alarm_name          = "${local.alarm_prefix}self-dead-letters"
  alarm_description   = "Events lie in Weir's queues for what went wrong."
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  evaluation_periods  = 1
  datapoints_to_alarm = 1
  # A queue that nothing happens to stops reporting; it is as full as it was.
  treat_missing_data = "ignore"

  metric_query {
    id          = "waiting"
    label       = "Events that were not worked on"
    expression  = "MAX([undelivered, failed])"
    return_data = true
  }

  metric_query {
    id = "undelivered"
    metric {
      namespace   = "AWS/SQS"
      metric_name = "ApproximateNumberOfMessagesVisible"
      dimensions  = { QueueName = aws_sqs_queue.undelivered_events.name }
      period      = 300
      stat        = "Maximum"
    }
  }

  metric_query {
    id = "failed"
    metric {
      namespace   = "AWS/SQS"
      metric_name = "ApproximateNumberOfMessagesVisible"
      dimensions  = { QueueName = aws_sqs_queue.failed_invocations.name }
      period      = 300
      stat        = "Maximum"
    }
  }
}
