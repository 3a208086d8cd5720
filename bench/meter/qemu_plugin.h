/*
 * The part of QEMU's interface for TCG plugins that meter.c and tools/mutate/ran.c use: not every
 * distribution packages a header of it. The version is -DPLUGIN_VERSION. From 7 on (QEMU 11) a
 * callback gets what it was registered with, last, and not the plugin's id, first.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t qemu_plugin_id_t;
typedef uint32_t qemu_plugin_meminfo_t;

struct qemu_plugin_tb;
struct qemu_plugin_insn;

enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };
enum qemu_plugin_mem_rw { QEMU_PLUGIN_MEM_R = 1, QEMU_PLUGIN_MEM_W, QEMU_PLUGIN_MEM_RW };

/* The plugin's exports; @info is not used here. */
#define EXPORTED	__attribute__((visibility("default")))
extern EXPORTED int qemu_plugin_version;
EXPORTED int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv);

#define UNUSED		__attribute__((unused))

/* on_translation(): when a block is translated @fn says whose execution is of interest. */
#if PLUGIN_VERSION < 7
#define TRANSLATED(tb)	UNUSED qemu_plugin_id_t plugin, struct qemu_plugin_tb *tb
#define AT_EXIT		UNUSED qemu_plugin_id_t plugin, UNUSED void *given
#define on_translation(id, fn)	qemu_plugin_register_vcpu_tb_trans_cb((id), (fn))
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, void (*fn)(TRANSLATED(tb)));
#else
#define TRANSLATED(tb)	struct qemu_plugin_tb *tb, UNUSED void *given
#define AT_EXIT		UNUSED void *given
#define on_translation(id, fn)	qemu_plugin_register_vcpu_tb_trans_cb((id), (fn), NULL)
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, void (*fn)(TRANSLATED(tb)),
					   void *arg);
#endif

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);

/* Called before the block is executed, each time. */
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb,
					  void (*fn)(unsigned cpu, void *arg),
					  enum qemu_plugin_cb_flags flags, void *arg);

/* Called before @insn is executed, each time; and for each access to memory that it makes. */
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    void (*fn)(unsigned cpu, void *arg),
					    enum qemu_plugin_cb_flags flags, void *arg);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn,
				      void (*fn)(unsigned cpu, qemu_plugin_meminfo_t info,
						 uint64_t address, void *arg),
				      enum qemu_plugin_cb_flags flags,
				      enum qemu_plugin_mem_rw which, void *arg);

void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, void (*fn)(AT_EXIT), void *arg);
