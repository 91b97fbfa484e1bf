# The user module of the Cortex-M3 firmware: clock and `mps2`.
SRC_USERMOD_C += $(USERMOD_DIR)/hal.c
CFLAGS_USERMOD += -I$(USERMOD_DIR)
