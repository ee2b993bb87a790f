"""Speed and memory, each beside what people would use instead, in one run."""
