variable "name" {
  description = "What the names of this installation's resources begin with."
  type        = string
  default     = "weir"

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9-]{0,22}$", var.name))
    error_message = "1 to 23 letters, digits or '-', beginning with a letter."
  }
}

variable "functions_zip" {
  description = "The artefact of all functions, as infra/package.py makes it."
  type        = string
}

variable "policies_zip" {
  description = "The policies, as infra/package.py packs them."
  type        = string
}

variable "architecture" {
  description = "Processor the artefact was built for."
  type        = string
  default     = "arm64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "arm64 or x86_64."
  }
}

variable "alarm_prefix" {
  description = "What the names of this installation's alarms begin with; null for the name and a '-'. Weir deletes alarms under it that it does not want, so nobody else's alarm, and no other installation's prefix, may begin with it. To change it later, see docs/operating.md first."
  type        = string
  default     = null

  validation {
    condition     = var.alarm_prefix == null || can(regex("^[A-Za-z0-9_.-]{0,63}-$", var.alarm_prefix))
    error_message = "1 to 64 letters, digits, '_', '.' or '-', ending in '-'."
  }
}

variable "resizable_streams" {
  description = "Streams that IAM lets Weir change, whatever the policies say: a name, in which * stands for any characters."
  type        = string
  default     = "*"

  validation {
    condition     = can(regex("^[A-Za-z0-9_.*-]{1,128}$", var.resizable_streams))
    error_message = "A stream name, in which * stands for any characters."
  }
}

variable "reserve_concurrency" {
  description = "Set to true before Weir acts, so that other functions' load leaves it room, and a burst of its own leaves room in CloudWatch's and Kinesis' call limits. Reserves 27 of the account's concurrent executions; AWS refuses where fewer than 127 are unreserved (new accounts have 10)."
  type        = bool
  default     = false
}

variable "executors_enabled" {
  description = "Set to false to stop every change of every stream, and to keep it stopped through later applies. Weir goes on planning and telling."
  type        = bool
  default     = true
}

variable "plan_capacity_concurrency" {
  description = "Most plan-capacity functions at a time. One goes through the streams that are due; the others hear alarms, which come by the thousand where a whole fleet surges."
  type        = number
  default     = 10

  validation {
    condition     = var.plan_capacity_concurrency >= 2 && var.plan_capacity_concurrency <= 100
    error_message = "2 to 100."
  }
}

variable "resize_stream_concurrency" {
  description = "Most resize-stream functions at a time. An account may make 10 UpdateShardCount calls a second, of which each of ten takes its part."
  type        = number
  default     = 10

  validation {
    condition     = var.resize_stream_concurrency >= 1 && var.resize_stream_concurrency <= 10
    error_message = "1 to 10."
  }
}

variable "switch_mode_concurrency" {
  description = "Most switch-mode functions at a time. AWS publishes no limit of UpdateStreamMode calls a second."
  type        = number
  default     = 2

  validation {
    condition     = var.switch_mode_concurrency >= 1 && var.switch_mode_concurrency <= 5
    error_message = "1 to 5."
  }
}

variable "chat_topic" {
  description = "Set to true for a third topic in the form that Amazon Q Developer in chat applications shows in a channel."
  type        = bool
  default     = false
}

variable "log_retention_days" {
  description = "Days the functions' logs are kept."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827, 3653], var.log_retention_days)
    error_message = "One of the numbers CloudWatch Logs takes: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827, 3653."
  }
}
