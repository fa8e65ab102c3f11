/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libxml2, opened when there is XML to read or write: with what it needs in turn (ICU, the C++ library) it is most of
 * what starting serai would cost. Called as xml.FUNCTION, under the library's own names.
 */
#ifndef SERAI_XML_LIB_H
#define SERAI_XML_LIB_H

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xmlwriter.h>

#define XML_NAMES(X)                         \
	X(xmlBufferContent)                  \
	X(xmlBufferCreate)                   \
	X(xmlBufferFree)                     \
	X(xmlDocGetRootElement)              \
	X(xmlFreeDoc)                        \
	X(xmlFreeTextWriter)                 \
	X(xmlGetLastError)                   \
	X(xmlGetProp)                        \
	X(xmlNewTextWriterMemory)            \
	X(xmlNodeGetContent)                 \
	X(xmlReadMemory)                     \
	X(xmlStrcmp)                         \
	X(xmlTextWriterEndElement)           \
	X(xmlTextWriterSetIndent)            \
	X(xmlTextWriterSetIndentString)      \
	X(xmlTextWriterStartElement)         \
	X(xmlTextWriterWriteAttribute)       \
	X(xmlTextWriterWriteElement)         \
	X(xmlTextWriterWriteFormatAttribute) \
	X(xmlTextWriterWriteFormatString)    \
	X(xmlTextWriterWriteString)

struct xml_lib {
#define X(name) __typeof__(name) *name;
	XML_NAMES(X)
#undef X
	__typeof__(xmlFree) *xmlFree; /* a variable: which free() it uses */
};

/* Complete after xml_load() returned 0. */
extern struct xml_lib xml;

/* -ELIBACC when the library is not installed. */
int xml_load(void);

#endif
