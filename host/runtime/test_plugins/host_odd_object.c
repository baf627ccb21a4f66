/* Shared objects that garland_add_connector() would not make: no note, or more than one export. */
__attribute__((visibility("default"))) int garland_entry_v1(void);
int garland_entry_v1(void) { return 0; }
#ifdef ODD_NOTE
__attribute__((visibility("default"))) int another_export(void);
int another_export(void) { return 0; }
__asm__(".pushsection .note.garland,\"a\",%note\n"
        ".balign 4\n.long 8\n.long 2\n.long 1\n.asciz \"Garland\"\n.ascii \"{}\"\n.balign 4\n.popsection\n");
#endif
