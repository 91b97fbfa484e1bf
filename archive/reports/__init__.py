"""What people get without asking each time: a report of a day, a week or a month, and alerts."""
