"""What people read: workbooks from the published warehouse. Rounding happens here, once."""
