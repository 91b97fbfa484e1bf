// Reads a joining system with node-opcua, which shares no line with asyncua, and prints what it read as JSON.
//   node opcua_reader.cjs URL USER PASSWORD RESULT-ID FOLDER
const {
  AttributeIds, DataType, DataTypeExtractStrategy, MessageSecurityMode, OPCUACertificateManager, OPCUAClient, SecurityPolicy, UserTokenType,
  Variant, VariantArrayType, constructEventFilter, getExtraDataTypeManager, ofType, populateDataTypeManager, resolveNodeId, TimestampsToReturn,
} = require("node-opcua");

const BASE = "http://opcfoundation.org/UA/IJT/Base/";
const DEADLINE_MS = 60000;
const [url, userName, password, wanted, folder] = process.argv.slice(2);
const plain = (value) => JSON.parse(JSON.stringify(value, (key, each) =>
  typeof each === "bigint" ? Number(each) : ArrayBuffer.isView(each) ? Array.from(each) : each));

async function methodsOf(session, object) {
  const found = {};
  const { references } = await session.browse({ nodeId: object, referenceTypeId: "HierarchicalReferences", includeSubtypes: true, resultMask: 63 });
  for (const each of references) found[each.browseName.name] = each.nodeId;
  return found;
}

async function read(session) {
  const namespaces = (await session.read({ nodeId: "i=2255", attributeId: AttributeIds.Value })).value.value;
  const own = namespaces.indexOf("urn:toolcart:archive");
  const management = resolveNodeId(`ns=${own};s=3/1/10/ResultManagement`);
  const methods = await methodsOf(session, management);
  const call = async (name, inputArguments) => {
    const answer = await session.call({ objectId: management, methodId: methods[name], inputArguments });
    return { status: answer.statusCode.name, output: (answer.outputArguments || []).map((each) => plain(each.value)) };
  };
  const byId = await call("GetResultById", [
    { dataType: DataType.String, value: wanted }, { dataType: DataType.Int32, value: 0 },
  ]);
  const variable = resolveNodeId(`ns=${own};s=3/1/10/ResultManagement/Results/Result`);
  const latest = await session.read({ nodeId: variable, attributeId: AttributeIds.Value });
  const event = await requested(session, namespaces, call);
  const acknowledged = await call("AcknowledgeResults", [
    { dataType: DataType.String, arrayType: VariantArrayType.Array, value: [wanted, "none"] },
  ]);
  return { methods: Object.keys(methods).sort(), byId, latest: plain(latest.value.value), event, acknowledged };
}

async function requested(session, namespaces, call) {
  const subscription = await session.createSubscription2({
    requestedPublishingInterval: 100, requestedLifetimeCount: 1000, requestedMaxKeepAliveCount: 10,
    maxNotificationsPerPublish: 0, publishingEnabled: true, priority: 1,
  });
  const kind = resolveNodeId(`ns=${namespaces.indexOf(BASE)};i=1007`);
  const result = namespaces.indexOf("http://opcfoundation.org/UA/Machinery/Result/");
  const filter = constructEventFilter(
    ["EventType", "SourceName", `${result}:Result`, [`${result}:Result`, `${result}:ResultMetaData`, `${result}:ResultId`].join(".")],
    ofType(kind));
  const item = await subscription.monitor(
    { nodeId: "i=2253", attributeId: AttributeIds.EventNotifier },
    { samplingInterval: 0, discardOldest: true, queueSize: 100, filter }, TimestampsToReturn.Both);
  const first = new Promise((resolve) => item.once("changed", resolve));
  const now = { dataType: DataType.DateTime, value: new Date() };
  const number = { dataType: DataType.UInt64, arrayType: VariantArrayType.Scalar, value: [0, 17] };
  await call("RequestResults", [number, number, now, now, { dataType: DataType.Double, value: 0 }]);
  const fields = await first;
  await subscription.terminate();
  return fields.map((each) => plain(each.value));
}

// A bit of the mask belongs to each optional field, inherited ones first (OPC 10000-6, 5.2.7). node-opcua 2.186.4 counts
// every inherited field there, the mandatory ResultId as well, and so reads all fields of a derived type one bit too far.
function correctBits(types) {
  const namespace = types.namespaceArray.indexOf(BASE);
  const { schema } = types.getDataTypeFactory(namespace).getStructureInfoForDataType(resolveNodeId(`ns=${namespace};i=3020`));
  const inherited = schema.getBaseSchema().fields;
  const mandatory = inherited.filter((field) => field.switchBit === undefined).length;
  const first = Math.min(...schema.fields.map((field) => field.switchBit));
  if (first === inherited.length) schema.fields.forEach((field) => { field.switchBit -= mandatory; });
}

async function main() {
  const certificates = new OPCUACertificateManager({ rootFolder: folder, automaticallyAcceptUnknownCertificate: true });
  await certificates.initialize();
  const client = OPCUAClient.create({
    endpointMustExist: false, securityMode: MessageSecurityMode.SignAndEncrypt,
    securityPolicy: SecurityPolicy.Basic256Sha256, clientCertificateManager: certificates,
    connectionStrategy: { maxRetry: 2, initialDelay: 200, maxDelay: 1000 },
  });
  await client.connect(url);
  const session = await client.createSession({ type: UserTokenType.UserName, userName, password });
  // Every type at once: by itself it learns those alone that a field is declared with, not their subtypes.
  const types = await getExtraDataTypeManager(session);
  await populateDataTypeManager(session, types, DataTypeExtractStrategy.Force104);
  correctBits(types);
  const found = await read(session);
  await session.close();
  await client.disconnect();
  process.stdout.write(JSON.stringify(found) + "\n", () => process.exit(0));
}

setTimeout(() => { console.error("too late"); process.exit(3); }, DEADLINE_MS).unref();
main().catch((wrong) => { console.error(wrong); process.exit(1); });
