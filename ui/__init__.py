"""What the dashboard's pages share: model picker, colours, pictures; no machine learning."""
