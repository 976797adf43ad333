"""Find nerves in ultrasound scans and judge whether they look affected.

Research use only, not a medical device.
"""

__version__ = "0.1.0"
