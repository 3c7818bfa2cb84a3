// void weft_switch_stack(void** save_sp, void* to_sp)
// void weft_start_stack(void** save_sp, void* to_sp)
//
// Saves what the System V ABI lets a callee keep, leaves the stack pointer in *save_sp, and goes on
// where the other stack stopped; the second one, on a stack that has not run yet. The control words of
// SSE and x87 are not saved: a fiber that changes them changes its thread.
//
// The processor predicts each `ret` to go where the last unanswered `call` came from. Two stacks that both
// stopped in here came by the same calls, so leaving by `ret` keeps that stack of guesses in step with the
// one we go to, and all returns above are guessed right as well; `jmp` would leave a guess behind and spoil
// every one of them. Into a new stack it is the other way round: a `jmp` keeps the guess for the `ret` at the
// end of weft_stack_entry, which as a rule goes back to who started the stack.

#if defined(__x86_64__)
    .macro save_and_change_stack
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
    .endm

    .macro restore
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    .endm

    .text
    .globl weft_switch_stack
    .hidden weft_switch_stack
    .type weft_switch_stack, @function
    .align 16
weft_switch_stack:
    .cfi_startproc
    save_and_change_stack
    restore
    ret
    .cfi_endproc
    .size weft_switch_stack, .-weft_switch_stack

    .globl weft_start_stack
    .hidden weft_start_stack
    .type weft_start_stack, @function
    .align 16
weft_start_stack:
    .cfi_startproc
    save_and_change_stack
    restore
    popq %rcx
    jmp *%rcx
    .cfi_endproc
    .size weft_start_stack, .-weft_start_stack

// The first frame of every fiber stack: calls r13(r12) and goes on at the stack pointer that it returns, which
// another stack left. Unwinders stop here.
    .globl weft_stack_entry
    .hidden weft_stack_entry
    .type weft_stack_entry, @function
    .align 16
weft_stack_entry:
    .cfi_startproc
    .cfi_undefined rip
    movq %r12, %rdi
    call *%r13
    movq %rax, %rsp
    restore
    ret
    .cfi_endproc
    .size weft_stack_entry, .-weft_stack_entry
#endif

    .section .note.GNU-stack,"",%progbits
