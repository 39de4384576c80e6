"""What 公众号 and 企业微信 have in common: a line out, tokens, what their error codes mean, the sealed envelope."""
