"""The servers that are broken: started, kept running, and reached through proxies."""
