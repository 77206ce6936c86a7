"""The office's own public pages: plain files that any web server can serve.

It writes what it is given into one folder. It must not know the queue, nor decide what is public.
"""
