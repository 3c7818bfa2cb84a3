"""gdb commands for programs that use weft; live and on core files.

    gdb -x weft.py program [core]
    (gdb) weft-fibers        lists the fibers of all runs
    (gdb) weft-bt ID         the calls of the fiber ID
    (gdb) weft-bt all        of each fiber that has started

Needs no debug information of weft, only its symbols: the table weft_debug_layout (src/fiber/debug_layout.cpp)
says where things are. Function names of the program need its symbols, lines its debug information.
A core file that gdb itself makes (generate-core-file, gcore) lacks the stacks where the guards are
lightweight, because gdb stops reading at the first one; those that the kernel writes have them, and so has
a program run with WEFT_STACK_GUARD=mprotect.
A running fiber's calls are those of its thread. Nothing is run or written in the process.
"""

import gdb
from gdb.unwinder import Unwinder

VERSION = 1
FIELDS = ('loop_next', 'loop_alive', 'loop_running', 'loop_thread_id', 'fiber_next', 'fiber_id', 'fiber_parent_id',
          'fiber_name', 'fiber_made_at', 'fiber_waits_for', 'fiber_started', 'fiber_home', 'fiber_stack', 'stack_sp')

# What weft_switch_stack leaves at the stack pointer, and how far above it goes on.
SAVED = {
    'i386:x86-64': (('r15', 0), ('r14', 8), ('r13', 16), ('r12', 24), ('rbx', 32), ('rbp', 40), ('rip', 48)),
    'aarch64': tuple((f'x{19 + i}', 8 * i) for i in range(12)) + (('pc', 8 * 11),),
}
SAVED_BYTES = {'i386:x86-64': 56, 'aarch64': 160}
SP = {'i386:x86-64': 'rsp', 'aarch64': 'sp'}
PC = {'i386:x86-64': 'rip', 'aarch64': 'pc'}


def read(address, size=8):
    return int.from_bytes(gdb.selected_inferior().read_memory(address, size).tobytes(), 'little')


def address_of(symbol):
    try:
        return int(gdb.parse_and_eval(f'(unsigned long)&{symbol}'))
    except gdb.error as why:
        raise gdb.GdbError(f'weft: no symbol {symbol}: the program does not use weft fibers, or is stripped') from why


def read_layout():
    table = address_of('weft_debug_layout')
    version = read(table)
    if version != VERSION:
        raise gdb.GdbError(f'weft: this script knows layout {VERSION}, the program has {version}: '
                           'take the script of its version of weft')
    return {name: read(table + 8 * (1 + i)) for i, name in enumerate(FIELDS)}


def c_string(address, limit=200):
    text = bytearray()
    while len(text) < limit:
        byte = read(address + len(text), 1)
        if byte == 0:
            break
        text.append(byte)
    return text.decode(errors='replace')


class Fiber:
    def __init__(self, layout, address):
        def field(name, size=8):
            return read(address + layout[name], size)
        self.address = address
        self.id = field('fiber_id')
        self.parent_id = field('fiber_parent_id')
        name = field('fiber_name')
        self.name = c_string(name) if name else ''
        self.made_at = self.read_place(field('fiber_made_at'))
        waits_for = field('fiber_waits_for')
        self.waits_for = c_string(waits_for) if waits_for else None
        self.started = field('fiber_started', 1) != 0
        home = field('fiber_home')
        self.running = read(home + layout['loop_running']) == address
        self.thread_id = read(home + layout['loop_thread_id'], 4)
        stack = field('fiber_stack')
        self.sp = read(stack + layout['stack_sp']) if stack else 0

    @staticmethod
    def read_place(location):  # what a std::source_location of libstdc++ points to: file, function, line
        return f' at {c_string(read(location))}:{read(location + 16, 4)}' if location else ''

    def state(self):
        if self.running:
            return f'runs on thread {self.thread_id}'
        if not self.started:
            return 'has not started'
        return f'waits in {self.waits_for}' if self.waits_for else 'is ready'

    def title(self):
        name = f' "{self.name}"' if self.name else ''
        return f'fiber {self.id}{name}, made by {self.parent_id}{self.made_at}: {self.state()}'


def fibers():
    layout = read_layout()
    loop = read(address_of('weft_debug_loops'))
    found = []
    while loop:
        fiber = read(loop + layout['loop_alive'])
        while fiber:
            found.append(Fiber(layout, fiber))
            fiber = read(fiber + layout['fiber_next'])
        loop = read(loop + layout['loop_next'])
    return sorted(found, key=lambda one: one.id)


class FrameId:
    def __init__(self, sp, pc):
        self.sp = sp
        self.pc = pc


class ParkedFiber(Unwinder):
    """While `sp` is set, what lies above the thread's innermost frame is the fiber that was parked there."""

    def __init__(self):
        super().__init__('weft parked fiber')
        self.sp = None
        self.from_sp = None

    def __call__(self, pending):
        if self.sp is None:
            return None
        arch = pending.architecture().name()
        sp = pending.read_register(SP[arch])
        if int(sp) != self.from_sp:
            return None
        pc = pending.read_register(PC[arch])
        info = pending.create_unwind_info(FrameId(sp, pc))
        for register, offset in SAVED[arch]:
            kind = pc.type if register == PC[arch] else gdb.lookup_type('long')
            info.add_saved_register(register, gdb.Value(read(self.sp + offset)).cast(kind))
        info.add_saved_register(SP[arch], gdb.Value(self.sp + SAVED_BYTES[arch]).cast(sp.type))
        return info

    def frames_of(self, fiber):
        """The frames of a parked fiber, as text."""
        arch = gdb.newest_frame().architecture().name()
        self.from_sp = int(gdb.newest_frame().read_register(SP[arch]))
        self.sp = fiber.sp
        gdb.invalidate_cached_frames()
        try:
            lines = []
            frame = gdb.newest_frame().older()
            while frame is not None and frame.is_valid():
                lines.append(describe(len(lines), frame))
                frame = frame.older()
            return lines
        finally:
            self.sp = None
            gdb.invalidate_cached_frames()


def describe(number, frame):
    place = frame.find_sal()
    where = f' at {place.symtab.filename}:{place.line}' if place.symtab else ''
    return f'  #{number} {frame.name() or hex(frame.pc())}{where}'


def frames_of_thread(thread_id):
    for thread in gdb.selected_inferior().threads():
        if thread.ptid[1] != thread_id:
            continue
        former = gdb.selected_thread()
        thread.switch()
        lines, frame = [], gdb.newest_frame()
        while frame is not None:
            lines.append(describe(len(lines), frame))
            frame = frame.older()
        former.switch()
        return lines
    return [f'  its thread {thread_id} is not there']


PARKED = ParkedFiber()
gdb.unwinder.register_unwinder(None, PARKED, replace=True)


class ListFibers(gdb.Command):
    """Lists the fibers of all weft runs: id, name, who made it, what it does or waits for."""

    def __init__(self):
        super().__init__('weft-fibers', gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        del argument, from_tty
        found = fibers()
        for one in found:
            print(one.title())
        print(f'{len(found)} fibers')


class BacktraceFiber(gdb.Command):
    """weft-bt ID | all: the calls of a weft fiber, or of all that have started."""

    def __init__(self):
        super().__init__('weft-bt', gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        del from_tty
        wanted = argument.strip()
        if wanted != 'all' and not wanted.isdigit():
            raise gdb.GdbError('usage: weft-bt ID, or weft-bt all; weft-fibers lists the ids')
        chosen = [one for one in fibers() if wanted == 'all' or one.id == int(wanted)]
        if not chosen:
            raise gdb.GdbError(f'weft: no fiber {wanted}; weft-fibers lists them')
        for one in chosen:
            print(one.title())
            if one.running:
                print('\n'.join(frames_of_thread(one.thread_id)))
            elif one.started and one.sp:
                print('\n'.join(PARKED.frames_of(one)))


ListFibers()
BacktraceFiber()
