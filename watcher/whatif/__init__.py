"""The blast radius of a certificate that expires unattended, and of steps before they are done."""
