"""The run ledger on DynamoDB: it knows every run, and counts every item exactly once."""
