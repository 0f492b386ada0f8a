"""Alerts: what happened or stands open, told once by mail or to a group's robot, and once more when it is over.

Here belongs who is told what, and that it arrives exactly as often as it should. What is true of a return is `orchestration.submissions`'.
"""
