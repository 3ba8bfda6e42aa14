"""The audit: does a trained network follow its reports, or does it only look as if it did?"""
