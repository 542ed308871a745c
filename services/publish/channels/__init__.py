"""Who is told: subscriptions, what is owed to them, and how it reaches them.

`announce` makes deliveries when a page is certain, `deliver` attempts them, `transports` are the ways out.
"""
