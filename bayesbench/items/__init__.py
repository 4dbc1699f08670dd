"""The item level: answers per item, a bank of items, which to ask, what the whole would say."""
