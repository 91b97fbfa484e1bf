// What main.c and the module `mps2` share: talking to the PC through the debugger's door (ARM semihosting).
#pragma once
#include <stddef.h>
#include <stdint.h>

int host_call(int operation, const void *arguments);
int host_command_line(char *buf, size_t size);
void host_exit(int code);
