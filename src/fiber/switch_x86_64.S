// void weft_switch_stack(void** save_sp, void* to_sp)
//
// Saves what the System V ABI lets a callee keep, leaves the stack pointer in *save_sp, and goes on
// where the other stack stopped. Leaves by `jmp`: a `ret` would always be mispredicted. The control
// words of SSE and x87 are not saved: a fiber that changes them changes its thread.

#if defined(__x86_64__)
    .text
    .globl weft_switch_stack
    .hidden weft_switch_stack
    .type weft_switch_stack, @function
    .align 16
weft_switch_stack:
    .cfi_startproc
    pushq %rbp
    .cfi_adjust_cfa_offset 8
    pushq %rbx
    .cfi_adjust_cfa_offset 8
    pushq %r12
    .cfi_adjust_cfa_offset 8
    pushq %r13
    .cfi_adjust_cfa_offset 8
    pushq %r14
    .cfi_adjust_cfa_offset 8
    pushq %r15
    .cfi_adjust_cfa_offset 8
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    popq %rcx
    jmp *%rcx
    .cfi_endproc
    .size weft_switch_stack, .-weft_switch_stack

// The first frame of every fiber stack: calls r13(r12). Unwinders stop here.
    .globl weft_stack_entry
    .hidden weft_stack_entry
    .type weft_stack_entry, @function
    .align 16
weft_stack_entry:
    .cfi_startproc
    .cfi_undefined rip
    movq %r12, %rdi
    call *%r13
    ud2
    .cfi_endproc
    .size weft_stack_entry, .-weft_stack_entry
#endif

    .section .note.GNU-stack,"",%progbits
