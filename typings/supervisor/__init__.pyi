from supervisor import loggers as loggers, supervisord as supervisord
