"""The Streamlit dashboard: what the lake holds, and how complete it is. Reads only, on loopback only.

What does not belong here: anything that writes into the lake, a socket to the exchange, Prefect, Great Expectations.
"""
