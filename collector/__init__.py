"""The socket side: frames, session and buffer are pure; `collector.stream` alone opens a socket.

What does not belong here: bars, Parquet, Prefect.
"""
