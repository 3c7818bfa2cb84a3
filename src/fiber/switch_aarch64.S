// void weft_switch_stack(void** save_sp, void* to_sp); void weft_start_stack(void** save_sp, void* to_sp);
// see switch_x86_64.S. Save x19 to x30 and d8 to d15, as AAPCS64 asks of a callee.

#if defined(__aarch64__)
    .macro save_and_change_stack
    sub sp, sp, #160
    .cfi_adjust_cfa_offset 160
    stp x19, x20, [sp, #0]
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    mov x9, sp
    str x9, [x0]
    mov sp, x1
    .endm

    .macro restore
    ldp x19, x20, [sp, #0]
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp d8, d9, [sp, #96]
    ldp d10, d11, [sp, #112]
    ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    add sp, sp, #160
    .endm

    .text
    .globl weft_switch_stack
    .hidden weft_switch_stack
    .type weft_switch_stack, %function
    .align 4
weft_switch_stack:
    .cfi_startproc
    save_and_change_stack
    restore
    .cfi_adjust_cfa_offset -160
    ret
    .cfi_endproc
    .size weft_switch_stack, .-weft_switch_stack

    .globl weft_start_stack
    .hidden weft_start_stack
    .type weft_start_stack, %function
    .align 4
weft_start_stack:
    .cfi_startproc
    save_and_change_stack
    restore
    .cfi_adjust_cfa_offset -160
    br x30
    .cfi_endproc
    .size weft_start_stack, .-weft_start_stack

// The first frame of every fiber stack: calls x20(x19) and goes on at the stack pointer that it returns, which
// another stack left. Unwinders stop here.
    .globl weft_stack_entry
    .hidden weft_stack_entry
    .type weft_stack_entry, %function
    .align 4
weft_stack_entry:
    .cfi_startproc
    .cfi_undefined x30
    mov x0, x19
    blr x20
    mov sp, x0
    restore
    ret
    .cfi_endproc
    .size weft_stack_entry, .-weft_stack_entry
#endif

    .section .note.GNU-stack,"",%progbits
