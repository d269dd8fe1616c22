"""What is said: the transport, the wire's JSON and the API's resources."""
