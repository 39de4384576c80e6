"""微信服务号: callbacks in, customer-service messages out."""
