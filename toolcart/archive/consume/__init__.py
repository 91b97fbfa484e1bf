"""Batches of an outlet's lines that come over MQTT, each stored once in the archive's own tables (consumers.md).

lines     a line as the telegram that ToolsNet would get for the same record: the one place where that is decided
batch     a message as a batch, or why it is not one
parcels   what is done with a batch, in the writer's transaction
counted   what is counted and shown
broker    an MQTT client's connection: address, TLS, pauses
online    which stations are online, as their outlets' state topics say
names     what follows an outlet's base topic
options   what commands need to reach a broker
consumer  from the broker to the writer and back: bounded, acknowledged after the commit
check     plays the outlet to test another consumer
"""
