package openai

import "strings"

// hostedTool says of a type of tool that is no function why it is refused and what to do; empty for functions.
func hostedTool(kind string) string {
	switch {
	case kind == "function":
		return ""
	case strings.HasPrefix(kind, "web_search"), kind == "file_search":
		return "OpenAI runs it itself, and what other providers cannot do is not asked of them. Declare a function that searches, and run it yourself."
	case kind == "mcp":
		return "OpenAI calls the server itself, and other providers do not. Declare the server's tools as functions, and call the server yourself."
	case kind == "custom":
		return "it is OpenAI's alone. Declare a function with one parameter of type string in its place."
	case kind == "namespace", kind == "tool_search":
		return "it is OpenAI's alone. Declare the functions themselves, each as a tool of its own."
	case kind == "image_generation":
		return "images are not made here. Declare a function that makes them, and run it yourself."
	case kind == "code_interpreter", kind == "programmatic_tool_calling":
		return "OpenAI runs the code itself, and other providers do not. Declare a function that runs code, and run it yourself."
	case strings.HasPrefix(kind, "computer"), kind == "shell", kind == "local_shell", kind == "apply_patch":
		return "models of other providers do not know it. Declare a function for it, and run that as you would have run the tool."
	default:
		return "only tools of type 'function' are."
	}
}

// refusedItem says of a type of item why it is not taken and what to do; empty for those that are.
func refusedItem(kind string) string {
	switch kind {
	case "message", "function_call", "function_call_output", "reasoning", "item_reference":
		return ""
	case "custom_tool_call", "custom_tool_call_output":
		return "custom tools are OpenAI's alone. Send a function_call and its function_call_output."
	case "compaction", "compaction_trigger":
		return "send the conversation as it was, and say in holdfast.overflow what is to be done if it is too long."
	case "configuration_update", "additional_tools":
		return "say in the request itself what has changed."
	case "file_search_call", "web_search_call", "image_generation_call", "code_interpreter_call", "tool_search_call", "tool_search_output",
		"computer_call", "computer_call_output", "local_shell_call", "local_shell_call_output", "shell_call", "shell_call_output",
		"apply_patch_call", "apply_patch_call_output", "mcp_list_tools", "mcp_approval_request", "mcp_approval_response", "mcp_call",
		"program", "program_output":
		return "it is of a tool that OpenAI runs. Leave it out, or tell in a message what came of it."
	default:
		return "send messages, function_call, function_call_output, reasoning or item_reference."
	}
}
