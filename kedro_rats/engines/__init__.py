"""What runs plans: the execution of one task, and the engines that order tasks."""
